import { createHash } from "node:crypto";
import type { Answer, Received } from "./http-sink.ts";

/** What Elasticsearch says to a bulk request; `fault` may refuse single documents. */
export const bulkAnswer = (
  body: string,
  fault: (id: string, document: string) => { status: number; error: unknown } | undefined = () => undefined,
): Answer => {
  const lines = body.trimEnd().split("\n");
  const items = lines.flatMap((line, i) => {
    if (i % 2 === 1) return [];
    const action = JSON.parse(line) as { create: { _index: string; _id: string } };
    const refused = fault(action.create._id, lines[i + 1] ?? "");
    return [{ create: { ...action.create, ...(refused ?? { status: 201, result: "created" }) } }];
  });
  const errors = items.some((item) => item.create.status !== 201);
  return {
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ took: 1, errors, items }),
  };
};

/** What SQS, Lambda and STS say when all is well; `refuse` may fail single messages of a batch. */
export const awsAnswer = (
  { headers, body, path }: Received,
  refuse: (body: string) => { Code: string; SenderFault: boolean } | undefined = () => undefined,
): Answer => {
  const json = { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "1" };
  if (path.endsWith("/invocations")) return { status: 200, headers: json, body: "{}" };
  const said = JSON.parse(body) as { MessageBody: string; Entries?: { Id: string; MessageBody: string }[] };
  const taken = (text: string) => ({ MessageId: "1", MD5OfMessageBody: createHash("md5").update(text).digest("hex") });
  if (!String(headers["x-amz-target"]).endsWith("Batch"))
    return { status: 200, headers: json, body: JSON.stringify(taken(said.MessageBody)) };
  const Failed = (said.Entries ?? []).flatMap(({ Id, MessageBody }) => {
    const fault = refuse(MessageBody);
    return fault ? [{ Id, ...fault }] : [];
  });
  const Successful = (said.Entries ?? []).flatMap(({ Id, MessageBody }) =>
    refuse(MessageBody) ? [] : [{ Id, ...taken(MessageBody) }],
  );
  return { status: 200, headers: json, body: JSON.stringify({ Successful, Failed }) };
};
