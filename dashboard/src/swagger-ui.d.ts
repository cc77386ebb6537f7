// The little of Swagger UI that is used: what DefinitelyTyped has is for version 3.

declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  interface Options {
    dom_id: string;
    url: string;
    deepLinking: boolean;
    validatorUrl: string | null;
  }

  export default function SwaggerUI(options: Options): void;
}
