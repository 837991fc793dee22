import type { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";
import { DeliveryError } from "../../src/sdk/errors.ts";

type Module = typeof import("@nats-io/transport-node/lib/node_transport.js");
type Nats = Pick<typeof import("@nats-io/transport-node"), "Parser">;
type Server = Parameters<NodeTransport["connect"]>[0];
type Options = Parameters<NodeTransport["connect"]>[1] & { readonly opening?: Opening };

/** A connection that is being made. */
export interface Opening {
  readonly signal: AbortSignal | undefined;
  /** Ends the attempt that is under way, if any. */
  giveUp?: (reason: Error) => void;
}

/** Bytes of one thing that a server says: servers of large clusters name all the others, and nothing else is longer. */
const longest = 262_144;
const greeting = "INFO ";

const notNats = (): DeliveryError =>
  new DeliveryError("what answers is not NATS", { reason: "bad_reply", retryable: true });

/**
 * The client's own connection with an end to it: one that never comes to be is closed with the attempt that asked for
 * it, where the client would forget it and leave it open; and what is no NATS, or has no end, is read no further, where the
 * client would keep all of it.
 */
export const boundedTransport = ({ NodeTransport }: Module, { Parser }: Nats) =>
  class extends NodeTransport {
    #fault: DeliveryError | undefined;

    override async connect(server: Server, options: Options): Promise<void> {
      const { opening } = options;
      opening?.signal?.throwIfAborted();
      const { promise: over, reject } = Promise.withResolvers<never>();
      const giveUp = (reason: Error): void => {
        if (this.connected) return void this.close(reason);
        this.discard();
        reject(reason);
      };
      if (opening) opening.giveUp = giveUp;
      try {
        await Promise.race([super.connect(server, options), over]);
      } catch (error) {
        throw this.#fault ?? error;
      }
    }

    override async dial(server: Server) {
      const socket = await super.dial(server);
      let begun = "";
      let bytes = 0;
      // The client takes all listeners away when the greeting is there.
      socket.on("data", (frame: Buffer) => {
        begun = (begun + frame.toString("latin1", 0, greeting.length)).slice(0, greeting.length);
        bytes += frame.length;
        if (greeting.startsWith(begun.toUpperCase()) && bytes <= longest) return;
        this.#fault = notNats();
        socket.destroy();
      });
      return socket;
    }

    /** The client's parser gets what one of its own kind could read. */
    override async *iterate() {
      let bytes = 0;
      const parser = new Parser({
        push: () => {
          bytes = 0;
        },
      });
      for await (const frame of super.iterate()) {
        bytes += frame.length;
        try {
          parser.parse(frame);
        } catch {
          bytes = Infinity;
        }
        if (bytes > longest) return void (await this.close(notNats()));
        yield frame;
      }
    }

    override async close(error?: Error): Promise<void> {
      if (this.connected) await super.close(error);
      else this.discard();
    }
  };
