# postgres:17 as far as a compose file can tell, of Debian's package
FROM debian-services
ENV LANG=C.UTF-8 PATH=/usr/lib/postgresql/17/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data
RUN install -d -o postgres -g postgres "$PGDATA" /run/postgresql
COPY postgres.sh /entrypoint.sh
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["/entrypoint.sh"]
CMD ["postgres"]
