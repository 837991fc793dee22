import { createDoor, type Door, type DoorParts, type DoorState } from "./door.ts";
import type { Listener } from "./listener.ts";

/** The doors of a hub, and which of them are behind a listener that is open. */
export interface Doors {
  /** Labels of the listener and of the events that come through. */
  make(listener: string, source: string): Door;
  /** Returns what is called when the listener closes. */
  opened(door: Door, listener: Listener): () => void;
  /** For people: each that refuses because too much is at work. */
  saturated(): readonly string[];
  /** Bytes of bodies in memory. */
  bytes(): number;
  listeners(): readonly (DoorState & { readonly connections: number })[];
}

export const createDoors = (common: Omit<DoorParts, "listener" | "source">): Doors => {
  const open = new Map<Door, Listener>();
  return {
    make: (listener, source) => createDoor({ ...common, listener, source }),
    opened: (door, listener) => {
      open.set(door, listener);
      return () => void open.delete(door);
    },
    saturated: () => [...open.keys()].flatMap((door) => door.state().saturated ?? []),
    bytes: () => [...open.keys()].reduce((sum, door) => sum + door.budget.used(), 0),
    listeners: () => [...open].map(([door, listener]) => ({ ...door.state(), connections: listener.connections() })),
  };
};
