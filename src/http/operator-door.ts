import type { Context } from "koa";
import { type Answer, jsonAnswer } from "./answer.ts";
import { respond } from "./app.ts";
import { errorAnswer, toHttpError } from "./errors.ts";
import { createOperatorGuard } from "./operators.ts";

/** Answers one path of the operators' API: only for operators, only with that method, and what fails is a reason in JSON. */
export type OperatorDoor = (
  method: "GET" | "POST",
  work: (ctx: Context) => Promise<Answer>,
) => (ctx: Context) => Promise<void>;

/** `token` empty: clients on the machine itself are answered, and no others. */
export const openOperatorDoor = (token: () => string): OperatorDoor => {
  const guard = createOperatorGuard(token);
  return (method, work) => async (ctx) => {
    try {
      guard(ctx.req);
      if (ctx.method === method) respond(ctx, await work(ctx));
      else respond(ctx, jsonAnswer(405, { error: `use ${method}` }, { Allow: method }));
    } catch (error) {
      const known = toHttpError(error);
      // What nobody foresaw is logged and answered by the application.
      if (known.refusal === "internal") throw error;
      respond(ctx, errorAnswer(known));
    }
    ctx.set("Cache-Control", "no-store");
  };
};
