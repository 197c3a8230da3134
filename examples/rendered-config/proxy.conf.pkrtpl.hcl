# Made by amibake; ask ${contact}.
%{ for name, site in sites ~}
server ${name} {
  listen ${site.tls ? 443 : 80};
%{ for host in site.hosts ~}
  host ${host};
%{ endfor ~}
  upstream 127.0.0.1:${site.port};
}
%{ endfor ~}
