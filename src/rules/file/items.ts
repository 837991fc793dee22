import type { Priority } from "../../sdk/alert.ts";
import { compareBytewise } from "../../sdk/bytewise.ts";
import type { Context } from "./context.ts";

/** What a rules file defines, as the collector keeps it. `index` orders definitions; `visibility` is the last touch. */
interface Indexed {
  readonly name: string;
  readonly context: Context;
  readonly index: number;
  readonly visibility: number;
}

export interface ListItem extends Indexed {
  readonly items: readonly string[];
}

export interface MacroItem extends Indexed {
  readonly condition: string;
  readonly conditionContext: Context;
}

/** A scalar or a list of them: exception fields, comparison operators and values. */
export type Entry = string | readonly Entry[];

export interface ExceptionItem {
  readonly name: string;
  readonly context: Context;
  readonly fields?: Entry;
  readonly comps?: Entry;
  readonly values: readonly Entry[];
}

export interface RuleItem extends Indexed {
  readonly condition: string;
  readonly conditionContext: Context;
  readonly output: string;
  readonly outputContext: Context;
  readonly description: string;
  readonly priority: Priority;
  readonly source: string;
  /** No catalogue has the source: the rule is kept by name and never compiled. */
  readonly unknownSource: boolean;
  readonly enabled: boolean;
  readonly skipIfUnknownFilter: boolean;
  readonly warnEvttypes: boolean;
  readonly capture: boolean;
  readonly captureDuration: number;
  /** Sorted, each once. */
  readonly tags: readonly string[];
  readonly exceptions: readonly ExceptionItem[];
}

/** What an append or override brings; absent keys stay as they are. */
export interface RuleUpdate {
  readonly name: string;
  readonly context: Context;
  /** What the item says; it must be the rule's, and changes nothing. */
  readonly source?: string | undefined;
  readonly condition?: string | undefined;
  readonly output?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly exceptions?: readonly ExceptionItem[] | undefined;
  readonly priority?: Priority | undefined;
  readonly enabled?: boolean | undefined;
  readonly warnEvttypes?: boolean | undefined;
  readonly skipIfUnknownFilter?: boolean | undefined;
  readonly capture?: boolean | undefined;
  readonly captureDuration?: number | undefined;
}

export interface PluginRequirement {
  readonly name: string;
  readonly version: string;
}

/** Each tag once, in the order of the UTF-8 bytes. */
export const tagSet = (tags: readonly string[]): readonly string[] => [...new Set(tags)].sort(compareBytewise);
