import { compareBytewise } from "../bytewise.ts";
import { TemplateError } from "./error.ts";
import { printValue } from "./format.ts";
import { callFunction } from "./functions.ts";
import { fail, failure } from "./lex.ts";
import { fieldOf } from "./member.ts";
import type { Node, Operand, Pipeline, Program } from "./nodes.ts";
import { float, intOf, isMap, itemsOf, truth, typeName, type Value } from "./value.ts";

const maxSteps = 200_000;
const maxLength = 4 << 20;
/** Characters that functions return in one run, written or not, and that they are given. */
const maxMade = 16 << 20;
const maxRead = 64 << 20;
const maxCalls = 100;
const asIs = (text: string): string => text;

/** Of one run; mutable. */
interface State {
  readonly program: Program;
  readonly inert: (text: string) => string;
  readonly out: string[];
  length: number;
  made: number;
  read: number;
  steps: number;
  calls: number;
  variables: { readonly name: string; value: Value }[];
}

/**
 * The text of the template over the data. Throws TemplateError where Go stops with an error. `inert` is for what comes of
 * the data; what the template itself says stays.
 */
export const run = (program: Program, data: Value, inert: (text: string) => string = asIs): string => {
  const state: State = {
    program,
    inert,
    out: [],
    length: 0,
    made: 0,
    read: 0,
    steps: 0,
    calls: 0,
    variables: [{ name: "$", value: data }],
  };
  walk(state, data, program.main);
  return state.out.join("");
};

type Flow = "break" | "continue" | undefined;

const step = (state: State): void => {
  if (++state.steps > maxSteps) throw new TemplateError("the template runs too long");
};

const write = (state: State, text: string): void => {
  state.length += text.length;
  if (state.length > maxLength) throw new TemplateError("the template writes too much");
  state.out.push(text);
};

const walk = (state: State, dot: Value, nodes: readonly Node[]): Flow => {
  for (const node of nodes) {
    step(state);
    switch (node.do) {
      case "text":
        write(state, node.text);
        break;
      case "print": {
        const value = pipeline(state, dot, node.pipe);
        if (node.pipe.declare.length > 0) break;
        write(state, isFixed(node.pipe) ? printValue(value) : state.inert(printValue(value)));
        break;
      }
      case "break":
      case "continue":
        return node.do;
      case "template":
        callTemplate(state, dot, node);
        break;
      case "range": {
        const mark = state.variables.length;
        range(state, dot, node);
        state.variables.length = mark;
        break;
      }
      default: {
        const mark = state.variables.length;
        const value = pipeline(state, dot, node.pipe);
        const flow = truth(value)
          ? walk(state, node.do === "with" ? value : dot, node.body)
          : walk(state, dot, node.other ?? []);
        state.variables.length = mark;
        if (flow) return flow;
      }
    }
  }
  return undefined;
};

/** Made of the template's own texts alone. */
const isFixed = ({ commands }: Pipeline): boolean =>
  commands.every((command) => command.every(({ op }) => op === "constant" || op === "function"));

const callTemplate = (state: State, dot: Value, node: Extract<Node, { do: "template" }>): void => {
  const body = state.program.named.get(node.name);
  if (body === undefined) throw failure(state.program.source, node.at, `template "${node.name}" not defined`);
  if (++state.calls > maxCalls) throw new TemplateError("templates call each other too deep");
  const data = node.pipe === undefined ? undefined : pipeline(state, dot, node.pipe);
  const outer = state.variables;
  state.variables = [{ name: "$", value: data }];
  walk(state, data, body);
  state.variables = outer;
  state.calls--;
};

const range = (state: State, dot: Value, node: Extract<Node, { do: "if" | "with" | "range" }>): void => {
  const over = pipeline(state, dot, { ...node.pipe, declare: [] });
  const { declare, assign } = node.pipe;
  const outer = state.variables.length;
  let any = false;
  for (const [key, item] of entries(state, over, node.pipe)) {
    any = true;
    step(state);
    const bound: readonly Value[] = declare.length === 2 ? [key, item] : [typeof over === "bigint" ? key : item];
    for (const [i, name] of declare.entries()) {
      if (assign) setVariable(state, name, bound[i]);
      else state.variables.push({ name, value: bound[i] });
    }
    const flow = walk(state, item, node.body);
    state.variables.length = outer;
    if (flow === "break") break;
  }
  if (!any) walk(state, dot, node.other ?? []);
};

function* entries(state: State, over: Value, pipe: Pipeline): Generator<readonly [Value, Value]> {
  const items = itemsOf(over);
  const count = intOf(over);
  if (items !== undefined) {
    for (const [i, item] of items.entries()) yield [BigInt(i), item];
  } else if (isMap(over)) {
    for (const key of Object.keys(over).sort(compareBytewise)) yield [key, over[key]];
  } else if (typeof over === "bigint" && count !== undefined) {
    if (pipe.declare.length > 1) stop(state, pipe.at, "can't use a number to iterate over with more than one variable");
    for (let i = 0n; i < count; i++) yield [i, i];
  } else if (over !== undefined) {
    stop(state, pipe.at, `range can't iterate over a ${typeName(over)}`);
  }
}

const stop = (state: State, at: number, message: string): never => fail(state.program.source, at, message);

const setVariable = (state: State, name: string, value: Value): void => {
  const variable = state.variables.findLast((known) => known.name === name);
  if (variable !== undefined) variable.value = value;
};

/** No argument given, which is not the same as one without value. */
const missing = Symbol("missing");
type Final = Value | typeof missing;

const pipeline = (state: State, dot: Value, pipe: Pipeline): Value => {
  step(state);
  let value: Final = missing;
  for (const command of pipe.commands) value = evaluate(state, dot, command, value) ?? undefined;
  const result = value === missing ? undefined : (value as Value);
  for (const name of pipe.declare) {
    if (pipe.assign) setVariable(state, name, result);
    else state.variables.push({ name, value: result });
  }
  return result;
};

const evaluate = (state: State, dot: Value, command: readonly Operand[], final: Final): Value => {
  const [first, ...rest] = command as readonly [Operand, ...Operand[]];
  const given = rest.length > 0 || final !== missing;
  switch (first.op) {
    case "field":
      return chain(state, dot, dot, first, rest, final);
    case "variable":
      if (first.path.length === 0) {
        if (given) stop(state, first.at, "can't give argument to non-function");
        return variable(state, first);
      }
      return chain(state, dot, variable(state, first), first, rest, final);
    case "chain": {
      if (first.of.op === "nil") stop(state, first.at, "indirection through explicit nil");
      return chain(state, dot, operand(state, dot, first.of), first, rest, final);
    }
    case "function":
      return apply(state, dot, first, rest, final);
    default:
      if (given) stop(state, first.at, "can't give argument to non-function");
      if (first.op === "nil") stop(state, first.at, "nil is not a command");
      return operand(state, dot, first);
  }
};

/** A value in an argument's place. */
const operand = (state: State, dot: Value, node: Operand): Value => {
  step(state);
  switch (node.op) {
    case "dot":
      return dot;
    case "nil":
      return undefined;
    case "constant":
      return typeof node.value === "object" ? float(node.value.float) : node.value;
    case "pipe":
      return pipeline(state, dot, node);
    default:
      return evaluate(state, dot, [node], missing);
  }
};

const variable = (state: State, node: Extract<Operand, { op: "variable" }>): Value =>
  state.variables.findLast((known) => known.name === node.name)?.value;

type Chained = Extract<Operand, { path: readonly string[] }>;

const chain = (
  state: State,
  dot: Value,
  receiver: Value,
  node: Chained,
  args: readonly Operand[],
  final: Final,
): Value => {
  let value = receiver;
  for (const [i, name] of node.path.entries()) {
    const last = i === node.path.length - 1;
    const given: Value[] | undefined = last ? args.map((arg) => operand(state, dot, arg)) : [];
    if (last && final !== missing) given.push(final as Value);
    const problem = (message: string) => stop(state, node.at, message);
    value = fieldOf(value, name, given, problem);
  }
  return value;
};

const apply = (
  state: State,
  dot: Value,
  node: Extract<Operand, { op: "function" }>,
  args: readonly Operand[],
  final: Final,
): Value => {
  const problem = (message: string) => stop(state, node.at, `error calling ${node.name}: ${message}`);
  if (node.name === "and" || node.name === "or") {
    // The first argument that decides is the result; the rest are not evaluated.
    const decides = node.name === "or";
    let value: Final = missing;
    for (const arg of args) {
      value = operand(state, dot, arg);
      if (truth(value) === decides) return value;
    }
    if (final !== missing) value = final;
    if (value === missing) return stop(state, node.at, `wrong number of args for ${node.name}: want at least 1 got 0`);
    return value as Value;
  }
  const values = args.map((arg) => operand(state, dot, arg));
  if (final !== missing) values.push(final as Value);
  for (const given of values) if (typeof given === "string") state.read += given.length;
  if (state.read > maxRead) throw new TemplateError("the template reads too much text");
  const value = callFunction(node.name, values, problem);
  if (typeof value === "string") {
    state.made += value.length;
    if (state.made > maxMade) throw new TemplateError("the template makes too much text");
  }
  return value;
};
