import type { Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import type { ServerTls } from "./certificates.ts";

/** The server's end of a connection that turns to TLS; without the client certificate that it demands it hangs up. */
export const secured = (socket: Socket, { key, cert, clientCa }: ServerTls): TLSSocket => {
  const secureContext = createSecureContext({ key, cert, ...(clientCa !== undefined && { ca: clientCa }) });
  const upgraded = new TLSSocket(socket, { isServer: true, secureContext, requestCert: clientCa !== undefined });
  if (clientCa !== undefined)
    upgraded.once("secure", () => {
      if (upgraded.getPeerCertificate().subject === undefined) socket.resetAndDestroy();
    });
  return upgraded;
};
