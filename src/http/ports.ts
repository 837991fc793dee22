import type { HubConfig } from "../config/types.ts";
import { openCertificates } from "./certificates.ts";
import type { CredentialParts } from "./credentials.ts";
import { createListener, type Listener, type ListenerOptions } from "./listener.ts";

type Serves = (path: string) => boolean;

export interface PortParts {
  readonly config: Pick<HubConfig, "listenport" | "tlsserver">;
  /** Whether a named endpoint has the path. */
  readonly claims: Serves;
  readonly credentials: CredentialParts;
  /** Of the port that takes alerts, and of the one without TLS beside it: all but number and certificates. */
  readonly alertPort: (serves: Serves) => Omit<ListenerOptions, "port">;
  readonly plainPort: (serves: Serves) => Omit<ListenerOptions, "port">;
}

export interface Ports {
  readonly alerts: Listener;
  /** Absent: every path is on the alert port. */
  readonly plain?: Listener;
  /** Certificate files are followed no more. */
  unfollow(): void;
}

/** Opens the hub's own ports. Rejects with the reason when one cannot listen. */
export const openPorts = async (parts: PortParts): Promise<Ports> => {
  const { listenport, tlsserver } = parts.config;
  if (!tlsserver.deploy) {
    const alerts = await createListener({ ...parts.alertPort(() => true), port: listenport });
    return { alerts, unfollow: () => {} };
  }
  if (tlsserver.mutualtls && tlsserver.cacertfile === "") throw new Error("tlsserver.mutualtls needs cacertfile");
  const files = { ...tlsserver, cacertfile: tlsserver.mutualtls ? tlsserver.cacertfile : "" };
  const known = tlsserver.notlspaths.filter((path) => path === "/" || parts.claims(path));
  for (const path of tlsserver.notlspaths)
    if (!known.includes(path)) parts.credentials.log.warn(`tlsserver.notlspaths has unknown path '${path}'`);
  const certificates = await openCertificates(files);
  const alerts = await createListener({
    ...parts.alertPort((path) => !known.includes(path)),
    port: listenport,
    tls: certificates.tls,
  });
  const following = certificates.follow(parts.credentials, alerts.setTls);
  const secure = { alerts, unfollow: following.close };
  if (known.length === 0) return secure;
  try {
    const options = parts.plainPort((path) => known.includes(path));
    return { ...secure, plain: await createListener({ ...options, port: tlsserver.notlsport }) };
  } catch (error) {
    following.close();
    await alerts.close(0);
    throw error;
  }
};
