import type { HttpReply } from "./http.ts";

/** The members of an answer that is a JSON object; none of any other. */
export const membersOf = ({ body }: HttpReply): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
};
