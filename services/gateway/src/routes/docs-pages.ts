const page = (title: string, head: string, body: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    ${head}
  </head>
  <body>
    ${body}
  </body>
</html>
`;

export const SWAGGER_PAGE = page(
  "Gatehouse API",
  '<link rel="stylesheet" href="/docs/swagger-ui.css">',
  '<div id="docs"></div>\n    <script src="/docs/swagger-ui-bundle.js"></script>\n    <script src="/docs/init.js"></script>',
);

/** Served as a file, because the content policy forbids inline scripts. */
export const SWAGGER_SCRIPT = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true });
`;

export const REDOC_PAGE = page(
  "Gatehouse API reference",
  "",
  '<redoc spec-url="/openapi.json"></redoc>\n    <script src="/redoc/redoc.standalone.js"></script>',
);
