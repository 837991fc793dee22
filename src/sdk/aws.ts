import { awsHttp } from "./aws-http.ts";
import { DeliveryError, type DeliveryFault, type Reason } from "./errors.ts";
import { type Config, flag, secret, text, url } from "./fields.ts";
import { networkFault } from "./network.ts";
import type { Host } from "./output.ts";
import { oneLine } from "./words.ts";

/** The keys that AWS outputs share; they may stand under `aws` once for all. */
export const awsFields = {
  region: text("Region; empty: what the AWS SDK finds in the environment."),
  accesskeyid: secret("Access key; empty: what the AWS SDK finds (environment, profile, service account, instance)."),
  secretaccesskey: secret("Secret of the access key."),
  rolearn: text("Role that is assumed with those credentials."),
  externalid: text("External id, where the role asks for one."),
  checkidentity: flag("Ask at start who the credentials belong to, and log a refusal.", true),
  endpoint: url("URL of the service in place of the region's own."),
};

type Providers = typeof import("@aws-sdk/credential-providers");

/** The clients' own remarks quote addresses. */
const nothing = () => {};
const silent = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Options of any AWS client: one attempt, since retrying is the engine's. */
export const awsOptions = (config: Config<typeof awsFields>, host: Host, providers: Providers) => {
  const { region, accesskeyid, secretaccesskey, rolearn, externalid, endpoint } = config;
  const own = accesskeyid ? { accessKeyId: accesskeyid, secretAccessKey: secretaccesskey } : undefined;
  const params = { RoleArn: rolearn, RoleSessionName: "eyrie", ...(externalid && { ExternalId: externalid }) };
  const common = {
    maxAttempts: 1,
    logger: silent,
    ...(region && { region }),
    requestHandler: awsHttp(host.http) as never,
  };
  const assumed = rolearn
    ? providers.fromTemporaryCredentials({ ...(own && { masterCredentials: own }), params, clientConfig: common })
    : own;
  return { ...common, ...(endpoint && { endpoint }), ...(assumed && { credentials: assumed }) };
};

type Options = ReturnType<typeof awsOptions>;

/** The check at start: whose credentials these are, asked of STS. */
export const checkIdentity =
  (config: Config<typeof awsFields>, { endpoint: _, ...options }: Options) =>
  async (signal: AbortSignal): Promise<void> => {
    if (!config.checkidentity) return;
    const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
    const sts = new STSClient(options);
    try {
      await sts.send(new GetCallerIdentityCommand({}), { abortSignal: signal }).catch(failAws);
    } finally {
      sts.destroy();
    }
  };

interface SdkError {
  readonly name?: unknown;
  /** Of the connection that failed: `ECONNREFUSED`. */
  readonly code?: unknown;
  readonly message?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  /** As `awsHttp` gave it. */
  readonly $response?: { readonly retryAfterMs?: number };
}

const throttled = /Throttl|TooManyRequests|RequestLimitExceeded|BandwidthLimit|SlowDown/i;
const denied =
  /AccessDenied|UnrecognizedClient|InvalidClientToken|SignatureDoesNotMatch|ExpiredToken|InvalidSignature|AuthFailure|MissingAuthentication|KmsAccessDenied/i;
const missing = /ResourceNotFound|QueueDoesNotExist|NonExistentQueue|NoSuchBucket/i;

/** What an error of an AWS client means; AWS tells throttling and expired tokens as HTTP 400, so the name goes first. */
export const awsFault = (error: unknown): DeliveryFault => {
  const { name, $metadata, $response } = (error ?? {}) as SdkError;
  const called = String(name);
  const status = $metadata?.httpStatusCode;
  const retryAfterMs = $response?.retryAfterMs;
  const fault = (reason: Reason, retryable: boolean): DeliveryFault =>
    retryable && retryAfterMs !== undefined ? { reason, retryable, retryAfterMs } : { reason, retryable };
  if (throttled.test(called) || status === 429) return fault("rate_limited", true);
  // Keys are rotated and roles are mended while alerts wait.
  if (denied.test(called) || status === 401 || status === 403) return fault("auth_error", true);
  if (missing.test(called) || status === 404) return fault("not_found", false);
  if (called === "CredentialsProviderError") return fault("auth_error", true);
  if (status === 413 || /TooLarge|TooLong/.test(called)) return fault("too_large", false);
  if (status !== undefined && status >= 500) return fault("server_error", true);
  if (status !== undefined && status >= 400) return fault("client_error", false);
  if (status !== undefined) return fault("bad_reply", true);
  // What the SDK calls TimeoutError may be a connection that broke: the code goes first.
  return { reason: networkFault(error)?.reason ?? "network", retryable: true };
};

/** For `.catch`: every failure of a client as a DeliveryError. What AWS says goes along, what the client says does not. */
export const failAws = (error: unknown): never => {
  if (error instanceof DeliveryError) throw error;
  const { name, code, message, $metadata } = (error ?? {}) as SdkError;
  const word = (text: unknown): string | undefined =>
    typeof text === "string" && /^\w{1,60}$/.test(text) ? text : undefined;
  if (message === "Region is missing")
    throw new DeliveryError("no region is configured for AWS", { reason: "config", retryable: true });
  const fault = awsFault(error);
  if (fault.reason === "network" || fault.reason === "tls")
    throw new DeliveryError(`AWS is not reached (${word(code) ?? word(name) ?? "?"})`, fault);
  const status = $metadata?.httpStatusCode;
  const said = status === undefined ? "" : awsWords(message);
  throw new DeliveryError(`AWS answered ${word(name) ?? "an error"}`, fault, said, status);
};

/** What AWS says, its first line: below it stands the request that was signed. Keys that it names are the SDK's own finds. */
export const awsWords = (message: unknown): string =>
  typeof message === "string" && message !== "UnknownError"
    ? oneLine(message.trim().split("\n", 1)[0] ?? "").replaceAll(/\b(?:AKIA|ASIA)[A-Z0-9]{8,}/g, "***")
    : "";
