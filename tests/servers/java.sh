#!/bin/bash
# Java's HttpsServer, with Java's own TLS.
# shellcheck source=tests/servers/common/driver.sh
source tests/servers/common/driver.sh
needs java openssl
start_limit=60
configure() {
	openssl pkcs12 -export -in "$certificate" -inkey "$key" -out "$work/server.p12" -passout pass:changeit -name server || return
	file Greeter.java <<-'X'
		import com.sun.net.httpserver.*;
		import java.io.*;
		import java.net.*;
		import java.security.*;
		import javax.net.ssl.*;
		public class Greeter {
		    public static void main(String[] arguments) throws Exception {
		        KeyStore store = KeyStore.getInstance("PKCS12");
		        store.load(new FileInputStream(arguments[0]), "changeit".toCharArray());
		        KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
		        keys.init(store, "changeit".toCharArray());
		        SSLContext context = SSLContext.getInstance("TLS");
		        context.init(keys.getKeyManagers(), null, null);
		        for (int i = 1; i < arguments.length; i++) {
		            HttpsServer server = HttpsServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[i])), 0);
		            server.setHttpsConfigurator(new HttpsConfigurator(context));
		            server.createContext("/", exchange -> {
		                byte[] text = "hello from java\n".getBytes();
		                exchange.sendResponseHeaders(200, text.length);
		                exchange.getResponseBody().write(text);
		                exchange.close();
		            });
		            server.start();
		        }
		    }
		}
	X
}
launch() { serve java -XX:TieredStopAtLevel=1 -Xmx128m Greeter.java server.p12 "${ports[@]}"; }
cover=none answer='hello from java'
run_server
