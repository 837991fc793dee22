import { createSocket } from "node:dgram";
import { once } from "node:events";
import { isIP } from "node:net";

/** What is said about a name: its addresses, nothing at all, or that the server fails. */
export type Zone = Record<string, Known | "silent" | "servfail">;

interface Known {
  readonly addresses: readonly string[];
  readonly ttl: number;
  /** As some load balancers: no such name, when it has no address of the family that is asked for. */
  readonly denies?: boolean;
}

const types: Readonly<Record<number, string>> = { 1: "A", 28: "AAAA" };

/** A name server on loopback, over UDP. Names that the zone does not hold do not exist. The zone may be changed at any time. */
export const openDns = async (zone: Zone, at: { readonly address?: string; readonly port?: number } = {}) => {
  const socket = createSocket("udp4");
  /** `A name`, in the order they came. */
  const questions: string[] = [];
  socket.on("message", (query, from) => {
    const labels: string[] = [];
    let end = 12;
    for (let length = query[end] ?? 0; length > 0; length = query[end] ?? 0) {
      labels.push(query.toString("latin1", end + 1, end + 1 + length));
      end += length + 1;
    }
    const name = labels.join(".").toLowerCase();
    const type = query.readUInt16BE(end + 1);
    questions.push(`${types[type] ?? type} ${name}`);
    const known = zone[name];
    if (known === "silent") return;
    const answers = typeof known === "object" ? known.addresses.filter((a) => (isIP(a) === 6 ? 28 : 1) === type) : [];
    const head = Buffer.from(query.subarray(0, end + 5));
    const denied = known === undefined || (typeof known === "object" && known.denies && answers.length === 0);
    head.writeUInt16BE(0x8180 | (known === "servfail" ? 2 : denied ? 3 : 0), 2);
    head.writeUInt16BE(answers.length, 6);
    head.writeUInt32BE(0, 8);
    const records = answers.map((address) => {
      const data = isIP(address) === 4 ? Buffer.from(address.split(".").map(Number)) : bytesOf6(address);
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt32BE((known as { ttl: number }).ttl, 6);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
    socket.send(Buffer.concat([head, ...records]), from.port, from.address);
  });
  socket.bind(at.port ?? 0, at.address ?? "127.0.0.1");
  await once(socket, "listening");
  const { address, port } = socket.address();
  return {
    server: `${address}:${port}`,
    questions,
    zone,
    close: () => new Promise<void>((done) => socket.close(done)),
  };
};

const bytesOf6 = (address: string): Buffer => {
  const [head = "", tail = ""] = address.split("::");
  const words = (text: string) => (text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16)));
  const [front, back] = [words(head), words(tail)];
  const all = [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]));
};
