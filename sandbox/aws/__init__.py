"""AWS on one machine: the project's own template, provisioned on moto, its functions run for real.

The way of a template: `package` uploads sources as `sam package` does, `translate` is the SAM
transform, `provision` makes every resource or refuses, `workers` run the functions, `http_api`
carries requests to them, `stepfunctions` and `events` repair moto's interpreter and its bus, and
`persistence` keeps what was written across restarts. `server` puts them together.
"""
