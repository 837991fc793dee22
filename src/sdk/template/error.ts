/** The text is no template (`line 2 column 7: …`), or running it failed. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}
