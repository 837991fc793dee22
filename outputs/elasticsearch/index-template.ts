/** The index template that falcosidekick puts into Elasticsearch, so that both may write to the same indices. */

const string = (ignoreAbove = 256) => ({
  type: "text",
  fields: { keyword: { type: "keyword", ignore_above: ignoreAbove } },
});

const names = `container_info container_mounts container_start evt_arg_cmd evt_arg_fd evt_arg_filename evt_arg_flags
  evt_arg_linkpath evt_arg_mode evt_arg_name evt_arg_newpath evt_arg_oldpath evt_arg_path evt_arg_target evt_arg_uid
  evt_args evt_res evt_type fd_cip_name fd_lip_name fd_lport fd_name fd_nameraw fd_rip fd_rip_name fd_rport fd_sip
  fd_sip_name fd_sport fd_type group_gid group_name jevt_obj jevt_value ka_auth_decision ka_auth_reason ka_req_binding
  ka_req_configmap ka_req_pod ka_req_role ka_req_service ka_resp_name ka_response_code ka_response_reason
  ka_target_name ka_target_namespace ka_target_resource ka_target_subresource ka_uri ka_uri_param ka_user_name ka_verb
  proc_aexepath proc_aname proc_args proc_cmdline proc_cwd proc_env proc_exe proc_exepath proc_name proc_pcmdline
  proc_pexe proc_pexepath proc_pname proc_sname proc_tty test_dash test_slash thread_cap user_loginname user_loginuid
  user_name user_uid`.split(/\s+/);

/**
 * How output fields are typed. `dynamic`, as falcosidekick: beyond the names above the first document decides for all
 * that follow. `keyword`: every field is a keyword, whatever comes first. `flattened`: all of them are one field, whose
 * parts are keywords (Elasticsearch 7.3 and newer, not OpenSearch).
 */
export const fieldMappings = ["dynamic", "keyword", "flattened"] as const;
export type FieldMapping = (typeof fieldMappings)[number];

/** Longer values are stored and not indexed. */
const keyword = { type: "keyword", ignore_above: 8191 };
const typed = (of: string) => ({
  [`output_fields_${of}`]: { path_match: "output_fields.*", match_mapping_type: of, mapping: keyword },
});

const outputFields: Readonly<Record<FieldMapping, object>> = {
  dynamic: { properties: Object.fromEntries(names.map((name) => [name, string()])) },
  keyword: { type: "object" },
  flattened: { type: "flattened", ignore_above: 8191 },
};

/** `pattern` is what the indices' names look like. */
export const indexTemplate = (pattern: string, shards: number, replicas: number, fields: FieldMapping = "dynamic") => ({
  index_patterns: [pattern],
  template: {
    settings: { number_of_shards: shards, number_of_replicas: replicas },
    mappings: {
      ...(fields === "keyword" && {
        date_detection: false,
        dynamic_templates: ["string", "long", "double", "boolean"].map(typed),
      }),
      properties: {
        "@timestamp": { type: "date" },
        time: { type: "date" },
        output: string(2048),
        ...Object.fromEntries(["hostname", "priority", "rule", "source", "tags", "uuid"].map((n) => [n, string()])),
        output_fields: outputFields[fields],
      },
    },
  },
});
