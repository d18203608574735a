// What Sphinx puts into each page of the documentation site (docs/site/theme/static).

declare const Documentation: {
  addTranslations(catalog: { messages: Record<string, string | string[]>; plural_expr: string }): void;
};
