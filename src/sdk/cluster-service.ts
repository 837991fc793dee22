import { int, text } from "./fields.ts";

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** What is wrong with names of a cluster's objects that a URL is made of, for an output's `check`. */
export const nameFaults = (names: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(names).flatMap(([key, name]) =>
    label.test(name) ? [] : [`${key}: is no name of Kubernetes (lower-case letters, digits and -)`],
  );

/** A service's port. */
export const port = (about: string, usual: number) => int(about, usual, 1, 65_535);

/** falcosidekick's other way to a function, which is told to be none here (`decisions/functions-by-their-service.md`). */
export const kubeconfig = text("Not supported: functions are called through their service, from within the cluster.");

/** For an output's `check`: the key asks for what is not done. */
export const kubeconfigFaults = (file: string): readonly string[] =>
  file === ""
    ? []
    : ["kubeconfig: functions are called through their service: run the hub in their cluster and leave this out"];
