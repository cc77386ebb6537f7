// Prints the local configuration and those of all environments as JSON, resolved by the wrangler that deploys them: only
// it knows for sure what an environment inherits. Arguments: the file, and the environment whose warnings are shown.
import { unstable_readConfig } from "wrangler";

const [config, shown] = process.argv.slice(2);
try {
  const local = unstable_readConfig({ config }, { hideWarnings: true });
  const names = local.definedEnvironments ?? [];
  const resolved = (env) => unstable_readConfig({ config, env }, { hideWarnings: env !== shown });
  console.log(JSON.stringify({ local, environments: Object.fromEntries(names.map((env) => [env, resolved(env)])) }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
