/**
 * The fields of kernel events, as `falco --list=syscall` names them: Falco's own and those of its container plugin. Only
 * names: no such event is ever seen here. Source: Falco 0.45's list of supported fields and the ones it has dropped since
 * 0.20, which older rules files still use.
 */
const names = new Set(
  [
    family(
      "evt",
      `num time time.s time.iso8601 datetime datetime.s rawtime rawtime.s rawtime.ns reltime reltime.s reltime.ns
      pluginname plugininfo source is_async asynctype hostname latency latency.s latency.ns latency.quantized
      latency.human deltatime deltatime.s deltatime.ns outputtime dir type category cpu args info buffer buflen buflen.in
      buflen.out buflen.file buflen.file.in buflen.file.out buflen.net buflen.net.in buflen.net.out res rawres failed
      is_io is_io_read is_io_write io_dir is_wait wait_latency is_syslog count count.error count.error.file
      count.error.net count.error.memory count.error.other count.exit count.procinfo count.threadinfo around abspath
      abspath.src abspath.dst is_open_read is_open_write is_open_exec is_open_create infra.docker.name
      infra.docker.container.id infra.docker.container.name infra.docker.container.image`,
    ),
    family("syscall", "type"),
    family(
      "proc",
      `exe pexe aexe exepath pexepath aexepath name pname aname args aargs cmdline pcmdline acmdline cmdnargs
      cmdlenargs exeline env aenv cwd loginshellid tty pid ppid apid vpid pvpid sid sname sid.exe sid.exepath vpgid
      vpgid.name vpgid.exe vpgid.exepath pgid pgid.name pgid.exe pgid.exepath duration ppid.duration pid.ts ppid.ts
      is_exe_writable is_exe_upper_layer is_exe_lower_layer is_exe_from_memfd is_sid_leader is_vpgid_leader
      is_pgid_leader is_container_healthcheck is_container_liveness_probe is_container_readiness_probe exe_ino
      exe_ino.ctime exe_ino.mtime exe_ino.ctime_duration_proc_start exe_ino.ctime_duration_pidns_start
      pidns_init_start_ts fdopencount fdlimit fdusage vmsize vmrss vmswap nthreads nchilds stdin.type stdout.type
      stderr.type stdin.name stdout.name stderr.name`,
    ),
    family(
      "thread",
      `cap_permitted cap_inheritable cap_effective pfmajor pfminor tid ismain vtid nametid exectime totexectime cgroups
      cpu cpu.user cpu.system vmsize vmrss vmsize.b vmrss.b`,
    ),
    family("user", "uid name homedir shell loginuid loginname"),
    family("group", "gid name"),
    family(
      "fd",
      `num type typechar name directory filename ip cip sip lip rip port cport sport lport rport l4proto sockfamily
      is_server uid containername containerdirectory proto cproto sproto lproto rproto net cnet snet lnet rnet connected
      name_changed cip.name sip.name lip.name rip.name dev dev.major dev.minor ino nameraw types is_upper_layer
      is_lower_layer`,
    ),
    family("fdlist", "nums names cips sips cports sports"),
    family("fs", "path.name path.nameraw path.source path.sourceraw path.target path.targetraw"),
    family("syslog", "facility facility.str severity severity.str message"),
    family(
      "container",
      `id full_id name image image.id image.repository image.tag image.digest type privileged mounts mount mount.source
      mount.dest mount.mode mount.rdwr mount.propagation healthcheck liveness_probe readiness_probe start_ts duration ip
      cni.json host_pid host_network host_ipc labels info`,
    ),
    family(
      "k8s",
      `pod.name pod.id pod.uid pod.sandbox_id pod.full_sandbox_id pod.labels pod.ip pod.cni.json ns.name ns.id ns.labels
      rc.name rc.id rc.labels svc.name svc.id svc.labels rs.name rs.id rs.labels deployment.name deployment.id
      deployment.labels`,
    ),
  ].flat(),
);

function family(of: string, members: string): readonly string[] {
  return members.split(/\s+/).map((member) => `${of}.${member}`);
}

/** Fields whose last part is the writer's to choose: `evt.arg.flags`, `container.label.app`; with brackets it is absent. */
const openEnded =
  /^(?:evt\.(?:arg|rawarg|type\.is)|thread\.cgroup|container\.label|k8s\.(?:pod|ns|rc|svc|rs|deployment)\.label)(?:\.|$)/;

/** Families that Falco has dropped, and those of plugins that add to kernel events: their names are not known here. */
const otherFamilies = /^(?:anomaly|evtin|k8smeta|krsi|mesos|span|tracer)\./;

const families = new Set(Array.from(names, (name) => name.slice(0, name.indexOf(".") + 1)));

/** Whether kernel events have fields that begin so: `proc.`. */
export const isKernelFamily = (family: string): boolean => families.has(family) || otherFamilies.test(family);

/** Whether rules about kernel events may name this field, as far as is known here. */
export const isKernelField = (name: string): boolean =>
  names.has(name) || openEnded.test(name) || otherFamilies.test(name);
