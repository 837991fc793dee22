import { cut, type Deliberate } from "../support/deliberate-shape.ts";
import { cutBetweenCharacters } from "../support/differences.ts";
import { type GoldenRequest, goldenCases } from "../support/golden-replay.ts";

const withoutLogin = (request: GoldenRequest): GoldenRequest => ({
  ...request,
  headers: { ...request.headers, auth: "" },
});

export default [
  cutBetweenCharacters,
  {
    cases: /long/,
    reason: "a subject ends after 900 characters, before the longest line of a mail does",
    page: "smtp-mails.md",
    becomes: (shape) => ({ ...shape, headers: { ...shape.headers, subject: cut(shape.headers.subject ?? "", 900) } }),
  },
  {
    cases: /noauthset/,
    reason: "plain without a user does not log in as nobody",
    page: "smtp-mails.md",
    becomes: (shape) => ({ ...shape, headers: { ...shape.headers, auth: "" } }),
  },
  {
    cases: /bad-mech/,
    reason: "login is a mechanism too",
    page: "smtp-mails.md",
    becomes: (shape) => shape,
    adds: () =>
      goldenCases("smtp")
        .find(({ name }) => name.includes("noauthset"))
        ?.requests.map(withoutLogin) ?? [],
  },
] satisfies readonly Deliberate[];
