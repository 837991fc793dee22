/** `daily`, `monthly`, `annually` or `none`; anything else counts as daily. The date is that of `at`, in local time. */
export const indexName = (index: string, suffix: string, at: number): string => {
  if (suffix === "none") return index;
  const date = new Date(at);
  const year = String(date.getFullYear());
  const month = `${year}.${String(date.getMonth() + 1).padStart(2, "0")}`;
  if (suffix === "annually") return `${index}-${year}`;
  return suffix === "monthly" ? `${index}-${month}` : `${index}-${month}.${String(date.getDate()).padStart(2, "0")}`;
};

/** What Elasticsearch and OpenSearch would refuse of an index name, its date included; date math is theirs to judge. */
export const indexNameFault = (index: string): string | undefined => {
  if (index === "") return "is empty";
  if (/^<.*>$/.test(index)) return undefined;
  if (index !== index.toLowerCase()) return "must be in lower case";
  if (/[\\/*?"<>|\s,#:]/.test(index)) return 'must hold none of \\ / * ? " < > | , # : nor a blank';
  if (/^[-_+]/.test(index)) return "must not begin with -, _ or +";
  if (index === "." || index === "..") return "must not be . or ..";
  // `-2026.11.27`
  return Buffer.byteLength(index) > 255 - 11
    ? "is longer than 244 bytes, which leaves no room for the date"
    : undefined;
};
