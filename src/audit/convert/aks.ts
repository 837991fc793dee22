import { ConvertError, isMap, type Json, type JsonMap } from "./json.ts";

/**
 * The texts in an Event Hub body of AKS (`{"records":[{"properties":{"log":"…"}}]}`, keys in any case) that are JSON;
 * what else the control plane logs is left out. Throws ConvertError where the body has another shape.
 */
export const aksLogs = (body: string): readonly string[] => {
  const root = parse(body);
  if (root === null) return [];
  if (!isMap(root)) throw new ConvertError("the body is no JSON object");
  const records = member(root, "records");
  if (records === undefined || records === null) return [];
  if (!Array.isArray(records)) throw new ConvertError("records is no array");
  return records.map(logOf).filter(isStrictJson);
};

const logOf = (record: Json): string => {
  if (record === null) return "";
  if (!isMap(record)) throw new ConvertError("a record is no object");
  const properties = member(record, "properties") ?? {};
  if (!isMap(properties)) throw new ConvertError("properties is no object");
  const log = member(properties, "log") ?? "";
  if (typeof log !== "string") throw new ConvertError("log is no text");
  return log;
};

const member = (map: JsonMap, name: string): Json | undefined => {
  const key = Object.keys(map).findLast((k) => k.toLowerCase() === name);
  return key === undefined ? undefined : map[key];
};

const parse = (text: string): Json => {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new ConvertError("the body is not JSON");
  }
};

const isStrictJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};
