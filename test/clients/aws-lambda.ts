import { awsClientServer } from "../support/aws-client-server.ts";

export default awsClientServer((url) => ({ endpoint: url, functionname: "falco" }), {
  refusals: {
    "a function that failed": {
      answer: { headers: { "x-amz-function-error": "Unhandled" }, body: '{"errorMessage":"no"}' },
      reason: "server_error",
      retryable: false,
    },
  },
});
