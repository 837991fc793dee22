import { DeliveryError, type Reason } from "../../src/sdk/errors.ts";
import { codeFault, networkFault } from "../../src/sdk/network.ts";
import { oneLine } from "../../src/sdk/words.ts";
import { LoginRefused } from "./login.ts";

/** What an error of the mail client means: the server's code decides, else the kind of error. */
export const mailError = (error: unknown): DeliveryError => {
  const {
    code,
    originalCode,
    responseCode: said = 0,
    response,
  } = (error ?? {}) as {
    code?: string;
    originalCode?: string;
    responseCode?: number;
    response?: unknown;
  };
  const sent = error instanceof LoginRefused ? error.sent : [];
  const words = sent
    .filter((text) => text.length > 3)
    .reduce((text, login) => text.replaceAll(login, "***"), typeof response === "string" ? oneLine(response) : "");
  const fail = (reason: Reason, retryable: boolean, message: string) =>
    new DeliveryError(message, { reason, retryable }, words);
  const told = `the mail server answered ${said}`;
  const connection = codeFault(originalCode ?? code ?? "") ?? networkFault(error);
  if (connection?.reason === "timeout" || code === "EABORT" || code === "ETIMEDOUT")
    return fail("timeout", true, "the mail server did not answer in time");
  // Passwords are mended while alerts wait.
  if (code === "EAUTH" || said === 530 || said === 534 || said === 535)
    return fail(
      "auth_error",
      true,
      `the mail server refused the login${error instanceof LoginRefused ? error.why : ""}`,
    );
  if (code === "ETLS" || connection?.reason === "tls")
    return fail("tls", true, "no trusted connection to the mail server");
  if (said === 552 || said === 523) return fail("too_large", false, told);
  if (said >= 500) return fail("client_error", false, told);
  if (said >= 400) return fail("server_error", true, told);
  if (code === "EMESSAGE") return fail("too_large", false, "above what the mail server takes");
  if (code === "EPROTOCOL") return fail("bad_reply", true, "what answers is not a mail server");
  if (code === "EENVELOPE") return fail("config", true, "an address is not one");
  return fail("network", true, "the mail server is not reached");
};
