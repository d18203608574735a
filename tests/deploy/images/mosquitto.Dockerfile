# eclipse-mosquitto:2 as far as a compose file can tell, of Debian's package
FROM debian-services
RUN usermod --uid 1883 mosquitto && groupmod --gid 1883 mosquitto \
    && install -d -o mosquitto -g mosquitto /mosquitto /mosquitto/config /mosquitto/data
COPY mosquitto.sh /entrypoint.sh
ENTRYPOINT ["/entrypoint.sh"]
CMD ["/usr/sbin/mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]
