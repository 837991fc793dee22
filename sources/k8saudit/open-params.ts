import { decodePath } from "../../src/sdk/url-path.ts";

/** Where the events come from, as `open_params` of falco.yaml says it. */
export type Place =
  | {
      readonly kind: "webhook";
      readonly tls: boolean;
      readonly host: string;
      readonly port: number;
      readonly path: string;
    }
  /** `follow`: from the end, as the file grows. */
  | { readonly kind: "file"; readonly path: string; readonly follow: boolean }
  | { readonly kind: "fault"; readonly message: string };

export const defaultPath = "/k8s-audit";
export const defaultUrl = `http://:9765${defaultPath}`;

const fault = (message: string): Place => ({ kind: "fault", message });

/**
 * `http://[host]:port/path`, `https://…`, `file:///path` (followed from its end), else the path of a file or folder. A
 * path that Go's mux would refuse is a fault here; an address without path means `/k8s-audit`.
 */
export const parseOpenParams = (text: string): Place => {
  const trimmed = text.trim();
  if (trimmed === "") return fault("open_params is empty");
  if (/[\0-\x1f\x7f]/.test(trimmed)) return fault("open_params holds a control character");
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme === undefined) return { kind: "file", path: trimmed, follow: false };
  if (scheme === "file") return { kind: "file", path: trimmed.replace(/^file:(?:\/\/)?/i, ""), follow: true };
  if (scheme !== "http" && scheme !== "https") return fault(`scheme "${scheme}" is not supported`);
  return webhookAt(trimmed, scheme === "https");
};

const webhookAt = (text: string, tls: boolean): Place => {
  const found = /^https?:\/\/((?:\[[^\]]*\]|[^:/?#])*)(?::(\d*))?(\/[^?#]*)?(?:[?#].*)?$/i.exec(text);
  const port = found?.[2] ? Number(found[2]) : tls ? 443 : 80;
  if (!found || port > 65_535) return fault("open_params is no URL such as http://:9765/k8s-audit");
  const path = found[3] ?? defaultPath;
  if (/\s/.test(path) || !balanced(path)) return fault("the path of open_params is not one that can be listened on");
  const host = (found[1] ?? "").replace(/^\[|\]$/g, "");
  return { kind: "webhook", tls, host, port, path };
};

const balanced = (path: string): boolean => path.split("/").every((part) => /^(?:[^{}]*|\{[^{}]+\})$/.test(part));

/** True for the paths that a pattern stands for: a `/` at its end is a prefix, `{name}` is any one segment. */
export const matchPath = (pattern: string): ((path: string) => boolean) => {
  const parts = pattern.split("/").map((part) => (/^\{.*\}$/.test(part) ? "[^/]+" : RegExp.escape(decodePath(part))));
  const whole = new RegExp(`^${parts.join("/")}${pattern.endsWith("/") ? "" : "$"}`);
  return (path) => whole.test(decodePath(path));
};

/** The path without `//`, `.` and `..`, as Go's mux redirects to it. */
export const cleanPath = (path: string): string => {
  const kept: string[] = [];
  const parts = path.split("/");
  for (const part of parts) {
    if (part === "..") kept.pop();
    else if (part !== "" && part !== ".") kept.push(part);
  }
  const last = parts.at(-1);
  const slash = kept.length > 0 && (last === "" || last === "." || last === "..");
  return `/${kept.join("/")}${slash && last === "" ? "/" : ""}`;
};
