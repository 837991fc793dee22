/** An image without digest and tag: a colon before the last slash is a registry's port. */
export const repositoryOf = (image: string): string => {
  const bare = image.split("@", 1)[0] ?? "";
  const colon = bare.lastIndexOf(":");
  return colon > bare.lastIndexOf("/") ? bare.slice(0, colon) : bare;
};

export const tagOf = (image: string): string => {
  const bare = image.split("@", 1)[0] ?? "";
  const repository = repositoryOf(image);
  return bare.length > repository.length ? bare.slice(repository.length + 1) : image.includes("@") ? "" : "latest";
};

/** Registries where anybody may have a folder: there the folder says who publishes an image. */
const shared =
  /^(?:docker\.io|quay\.io|ghcr\.io|public\.ecr\.aws|registry\.gitlab\.com|(?:[a-z]+\.)?gcr\.io|.*\.pkg\.dev)$/;
const ecr = /^(\d{12})\.dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.(amazonaws\.com(?:\.cn)?)$/;

/**
 * Who publishes an image: its registry, and the first folder where many share a registry: `docker.io/library`,
 * `registry.k8s.io`. Amazon's registries have an account for a name, the same in all regions.
 */
export const publisherOf = (image: string): string => {
  const parts = repositoryOf(image).split("/");
  const [first = "", second = ""] = parts;
  const named = parts.length > 1 && (/[.:]/.test(first) || first === "localhost");
  if (!named) return parts.length > 1 ? `docker.io/${first}` : "docker.io/library";
  const host = first.toLowerCase().replace(/^(?:index|registry-1)\.docker\.io$/, "docker.io");
  const account = ecr.exec(host);
  if (account) return `${account[1]}.dkr.ecr.${account[2]}`;
  if (!shared.test(host) || host === "gke.gcr.io") return host;
  return parts.length > 2 ? `${host}/${second}` : host === "docker.io" ? "docker.io/library" : host;
};
