#!/bin/bash
cat > /etc/ssh/sshd_config.d/10-hardening.conf <<'END'
PasswordAuthentication no
PermitRootLogin no
X11Forwarding no
END
chmod 600 /etc/ssh/sshd_config.d/10-hardening.conf
