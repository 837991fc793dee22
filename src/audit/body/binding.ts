import type { JsonNode } from "../../json/node.ts";
import { bodiesOf, textsAt } from "./bodies.ts";
import { elements } from "./steps.ts";

/** Everybody is in these: who binds them does not bind himself. */
const everybody = new Set(["system:authenticated", "system:unauthenticated", "system:serviceaccounts"]);

interface Identity {
  readonly name: string;
  readonly groups: readonly string[];
}

const identityAt = (event: JsonNode, key: string): Identity => ({
  name: event.get(key)?.get("username")?.asText() ?? "",
  groups: textsAt(event, [key, "groups"]),
});

/** Whether a subject of the binding is who made the request, whom he acts as, or a group that one of them is in. */
export const bindsAuthor = (event: JsonNode): boolean => {
  const authors = ["user", "impersonatedUser"].map((key) => identityAt(event, key));
  const { after } = bodiesOf(event);
  const home = event.get("objectRef")?.get("namespace")?.asText() ?? "";
  return elements(after?.get("subjects")).some((subject) => {
    const named = (key: string): string => subject.get(key)?.asText() ?? "";
    const name = named("name");
    if (name === "") return false;
    if (named("kind") === "Group") return !everybody.has(name) && authors.some(({ groups }) => groups.includes(name));
    const account = `system:serviceaccount:${named("namespace") || home}:${name}`;
    return authors.some((author) => author.name === name || author.name === account);
  });
};
