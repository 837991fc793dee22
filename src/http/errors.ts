import { QueueError } from "../queue/queue.ts";
import { type Answer, jsonAnswer } from "./answer.ts";

/** Why a request, a connection or a handshake was refused: a closed list that is also the metric label. */
export type Refusal =
  | "aborted"
  | "bad_request"
  | "client_certificate"
  | "closing"
  | "connections"
  | "encoding"
  | "fragmented"
  | "gave_way"
  | "headers_too_large"
  | "http2"
  | "internal"
  | "invalid"
  | "media_type"
  | "method"
  | "moved"
  | "not_found"
  | "overloaded"
  | "pipelined"
  | "plain_http"
  | "ratio"
  | "timeout"
  | "tls"
  | "too_large"
  | "unauthorized"
  | "unavailable"
  | "uri_too_long";

/** The refusal that a status stands for where nothing better is known. */
export const refusalOf = (status: number): Refusal =>
  byStatus[status] ?? (status >= 500 ? "unavailable" : "bad_request");

const byStatus: Readonly<Record<number, Refusal>> = {
  307: "moved",
  400: "invalid",
  401: "unauthorized",
  403: "unauthorized",
  404: "not_found",
  405: "method",
  408: "timeout",
  413: "too_large",
  414: "uri_too_long",
  415: "media_type",
  431: "headers_too_large",
  500: "internal",
};

/** The one error of the HTTP boundary; the message is for the sender. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly refusal: Refusal;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, refusal: Refusal, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.refusal = refusal;
    this.headers = headers;
  }
}

/** Seconds: long enough to be a pause, short enough for kube-apiserver, which repeats each of its five tries ten times. */
const retryAfter = { "Retry-After": "5" };

export const overloaded = (message: string): HttpError => new HttpError(503, "overloaded", message, retryAfter);
export const gaveWay = (): HttpError =>
  new HttpError(503, "gave_way", "this body came too slowly and gave way to others", retryAfter);
export const closing = (): HttpError => new HttpError(503, "closing", "shutting down", retryAfter);

const queueTexts: Readonly<Record<QueueError["kind"], string>> = {
  full: "the queue has no space left",
  unavailable: "the queue does not answer",
  corrupt: "the queue is damaged",
  closed: "shutting down",
};

/** What a sender is told of an error; nothing of an unforeseen one. */
export const toHttpError = (error: unknown): HttpError => {
  if (error instanceof HttpError) return error;
  if (error instanceof QueueError) return new HttpError(503, "unavailable", queueTexts[error.kind], retryAfter);
  return new HttpError(500, "internal", "internal error");
};

export const errorAnswer = (error: HttpError): Answer =>
  jsonAnswer(error.status, { error: error.message }, error.headers);
