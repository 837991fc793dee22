import type { Metadata } from "../pipeline/enrich/metadata.ts";
import { createView } from "../pipeline/enrich/view.ts";
import type { KubeObject } from "../sdk/kubernetes.ts";
import { printableJson } from "../sdk/printable.ts";
import { type Answer, jsonAnswer } from "./answer.ts";
import type { Family } from "./app.ts";
import { HttpError } from "./errors.ts";
import { readLimit } from "./letter-list.ts";
import { listObjects, readPlace, readWanted } from "./object-list.ts";
import { openOperatorDoor } from "./operator-door.ts";

export interface MetadataDeps {
  /** Undefined: nothing is configured that could know, or this process takes alerts only. */
  readonly metadata: Pick<Metadata, "state" | "cache"> | undefined;
  /** Empty: clients on the machine itself are answered, and no others. */
  readonly token: () => string;
}

const path = "/api/v1/metadata";
/** A pod's services beyond these are only counted. */
const mostServices = 500;

/** What the hub knows of its cluster, and how it comes to know it. */
export const metadataPages = ({ metadata, token }: MetadataDeps): Family => {
  const answered = openOperatorDoor(token);
  const known = (): NonNullable<MetadataDeps["metadata"]> => {
    if (metadata) return metadata;
    throw new HttpError(
      404,
      "not_found",
      "this hub knows nothing of a cluster: it asks nobody, or it takes alerts only",
    );
  };

  const objects = async (query: URLSearchParams): Promise<Answer> => {
    const { cache } = known();
    const wanted = readWanted(query);
    const page = await listObjects(cache.all(), wanted, readPlace(query.get("after")), readLimit(query.get("limit")));
    return senders({ ...page, objects: page.objects.map((object) => shown(object, cache)) });
  };

  const pod = async (query: URLSearchParams): Promise<Answer> => {
    const { cache } = known();
    const [uid, namespace, name] = ["uid", "namespace", "name"].map((key) => query.get(key) || undefined);
    if (uid === undefined && (namespace === undefined || name === undefined))
      throw new HttpError(400, "invalid", "uid is missing, or namespace and name");
    const view = createView(cache, {
      kind: "Pod",
      ...(uid === undefined ? { ...(namespace && { namespace }), ...(name && { name }) } : { uid }),
    });
    const found = view.pod();
    if (!found) throw new HttpError(404, "not_found", "no such pod is known");
    const [namespaceOfPod, services] = [view.namespace(), view.services()];
    return senders({
      pod: shown(found, cache),
      namespace: { name: found.namespace, ...about(namespaceOfPod?.object) },
      owner: view.owner(),
      controllers: controllerKinds.flatMap((kind) => {
        const controller = view.controller(kind);
        return controller ? [{ kind, uid: controller.uid, ...about(controller.object) }] : [];
      }),
      services: services.slice(0, mostServices).map(({ uid, object }) => ({ uid, ...about(object) })),
      ...(services.length > mostServices && { moreServices: services.length - mostServices }),
    });
  };

  return (router) => {
    const all = (page: string, work: (query: URLSearchParams) => Promise<Answer>) =>
      router.all(
        `${path}${page}`,
        answered("GET", (ctx) => work(new URLSearchParams(ctx.querystring))),
      );
    all("", async () => senders(stateOf(known().state())));
    all("/objects", objects);
    all("/pod", pod);
  };
};

const controllerKinds = ["Deployment", "ReplicaSet", "ReplicationController", "DaemonSet"] as const;

/** Absent: only its uid is known, or its name. */
const about = (object: KubeObject | undefined) =>
  object && { uid: object.uid, name: object.name, labels: object.labels };

const shown = (object: KubeObject, cache: Metadata["cache"]) => ({
  ...object,
  ...(cache.isGone(object.uid) && { gone: true }),
});

const stateOf = (state: ReturnType<Metadata["state"]>) => ({
  ...state,
  watches: state.watches.map(inSeconds),
  resources: state.resources.map(inSeconds),
});

const inSeconds = <W extends { readonly quietMs?: number }>({ quietMs, ...watch }: W) => ({
  ...watch,
  ...(quietMs !== undefined && { quietSeconds: quietMs / 1000 }),
});

/** Names, labels and faults are what others wrote. */
const senders = (value: unknown): Answer => ({
  ...jsonAnswer(200, {}),
  body: `${printableJson(JSON.stringify(value))}\n`,
});
