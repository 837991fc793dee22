import { httpClientServer, httpRefusals } from "../support/http-client-server.ts";

export default httpClientServer({
  at: (url, secret) => ({ webhookurl: `${url}/services/${secret}` }),
  take: () => ({ body: "ok" }),
  refusals: httpRefusals,
  plainHttp: true,
});
