import type { Values } from "../base/values.js";

/** Sets the variables that the SDK reads. A profile that was asked for goes before keys that happen to be set, as for the AWS CLI. */
export function chooseProfile(values: Values): void {
  const profile = values.text("profile");
  if (profile === undefined || profile === "") return;
  process.env["AWS_PROFILE"] = profile;
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) delete process.env[name];
}
