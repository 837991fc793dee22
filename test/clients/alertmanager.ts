import { httpClientServer, httpRefusals } from "../support/http-client-server.ts";

export default httpClientServer({
  at: (url, secret) => ({ hostport: [url], customheaders: { "X-Key": secret } }),
  take: () => ({}),
  refusals: httpRefusals,
  lacks: { partial: "Alertmanager takes a request or refuses it" },
  plainHttp: true,
});
