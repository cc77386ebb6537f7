// Prints the local configuration and that of an environment as JSON, resolved by the wrangler that deploys it: only it
// knows for sure what an environment inherits. Arguments: the file, the environment.
import { unstable_readConfig } from "wrangler";

const [config, env] = process.argv.slice(2);
try {
  const local = unstable_readConfig({ config }, { hideWarnings: true });
  const isDefined = local.definedEnvironments?.includes(env);
  console.log(JSON.stringify({ local, deployed: isDefined ? unstable_readConfig({ config, env }) : null }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
