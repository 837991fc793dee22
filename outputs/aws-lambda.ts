import { rawEvent } from "../src/sdk/alert.ts";
import { awsFields, awsOptions, checkIdentity, failAws } from "../src/sdk/aws.ts";
import { DeliveryError } from "../src/sdk/errors.ts";
import { choice, text } from "../src/sdk/fields.ts";
import { answerBytes } from "../src/sdk/http.ts";
import { defineOutput } from "../src/sdk/output.ts";
import { wordsOf } from "../src/sdk/words.ts";

export default defineOutput({
  name: "aws.lambda",
  label: "awslambda",
  display: "AWSLambda",
  category: "serverless",
  about: "AWS Lambda: one invocation per alert, the raw event as its payload.",
  fields: {
    ...awsFields,
    functionname: text("Name or ARN of the function."),
    invocationtype: choice(
      "RequestResponse waits for the function, Event hands over, DryRun only checks.",
      ["RequestResponse", "Event", "DryRun"],
      "RequestResponse",
    ),
    logtype: choice("Tail returns the end of the function's log.", ["Tail", "None"], "Tail"),
  },
  example: { functionname: "falco", region: "us-east-1", endpoint: "http://127.0.0.1:4566" },
  enabled: (config) => config.functionname !== "",
  open: async (config, host) => {
    const { InvokeCommand, LambdaClient } = await import("@aws-sdk/client-lambda");
    const options = awsOptions(config, host, await import("@aws-sdk/credential-providers"));
    const client = new LambdaClient(options);
    return {
      start: checkIdentity(config, options),
      send: async ([alert], signal) => {
        const command = new InvokeCommand({
          FunctionName: config.functionname,
          InvocationType: config.invocationtype,
          LogType: config.logtype,
          Payload: rawEvent(alert),
        });
        const reply = await client.send(command, { abortSignal: signal }).catch(failAws);
        // The function ran and failed: the same alert would fail again, and a redrive may follow a repair.
        if (reply.FunctionError)
          throw new DeliveryError(
            `the function failed (${reply.FunctionError.slice(0, 60)})`,
            { reason: "server_error", retryable: false },
            // The function's own error: its type and its message.
            wordsOf(Buffer.from((reply.Payload ?? new Uint8Array()).subarray(0, answerBytes)).toString()),
          );
      },
      close: async () => client.destroy(),
    };
  },
});
