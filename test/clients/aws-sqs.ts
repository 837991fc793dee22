import { awsClientServer } from "../support/aws-client-server.ts";

export default awsClientServer((url) => ({ url: `${url}/000000000000/falco` }), {
  part: { reason: "client_error", retryable: false },
});
