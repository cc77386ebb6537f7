// Reads and tries the schema of the HTTP API. Nothing of Svelte or Bootstrap is here, and Swagger UI is nowhere else.

import "swagger-ui-dist/swagger-ui.css";
import "../api-docs.css";
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

SwaggerUI({
  dom_id: "#api",
  url: "/api/schema/",
  // An operation has an address that can be sent to somebody.
  deepLinking: true,
  // Otherwise a page on a public host would tell a validator elsewhere where its schema is.
  validatorUrl: null,
});
