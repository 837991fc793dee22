import { httpClientServer, httpRefusals } from "../support/http-client-server.ts";

export default httpClientServer({
  at: (url, secret) => ({ apiurl: url, orguid: "org1", apikey: secret }),
  take: () => ({}),
  refusals: httpRefusals,
  lacks: { partial: "Spyderbat takes a request or refuses it" },
});
