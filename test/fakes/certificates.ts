import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certified {
  readonly key: string;
  readonly cert: string;
}

/** Of a server; with `clientCa` it demands a client certificate that this authority signed. */
export interface ServerTls extends Certified {
  readonly clientCa?: string;
}

export interface Authority {
  /** The CA's certificate, PEM. */
  readonly ca: string;
  /** For `localhost` and 127.0.0.1, or for the names given (`DNS:…`, `IP:…`). */
  server(names?: string): Certified;
  client(commonName: string): Certified;
}

/** A certificate authority of one test, made with openssl. */
export const makeAuthority = (): Authority => {
  const ca = inFolder((folder, openssl) => {
    openssl([
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      "key.pem",
      "-out",
      "cert.pem",
      "-days",
      "2",
      "-subj",
      "/CN=Test CA",
    ]);
    return readPair(folder);
  });
  const sign = (commonName: string, extensions: string): Certified =>
    inFolder((folder, openssl) => {
      writeFileSync(join(folder, "ca.pem"), ca.cert);
      writeFileSync(join(folder, "ca.key"), ca.key);
      writeFileSync(join(folder, "extensions"), extensions);
      openssl(["req", ...newKey, "-keyout", "key.pem", "-out", "request.pem", "-subj", `/CN=${commonName}`]);
      openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out cert.pem -extfile extensions".split(
          " ",
        ),
      );
      return readPair(folder);
    });
  return {
    ca: ca.cert,
    server: (names = "DNS:localhost,IP:127.0.0.1") => sign("sink", `subjectAltName=${names}\n`),
    client: (commonName) => sign(commonName, "extendedKeyUsage=clientAuth\n"),
  };
};

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

const readPair = (folder: string): Certified => ({
  key: readFileSync(join(folder, "key.pem"), "utf8"),
  cert: readFileSync(join(folder, "cert.pem"), "utf8"),
});

const inFolder = (work: (folder: string, openssl: (args: readonly string[]) => void) => Certified): Certified => {
  const folder = mkdtempSync(join(tmpdir(), "certificates-"));
  try {
    return work(folder, (args) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" }));
  } finally {
    rmSync(folder, { recursive: true });
  }
};
