package io.github.loragraph.sagemaker.client;

import java.util.LinkedHashMap;
import java.util.Map;

/** Changes of Java's system properties, which closing takes back. */
final class SystemProperties implements AutoCloseable {
  private final Map<String, String> before = new LinkedHashMap<>();

  void set(String property, String value) {
    before.putIfAbsent(property, System.getProperty(property));
    System.setProperty(property, value);
  }

  @Override
  public void close() {
    before.forEach(
        (property, value) -> {
          if (value == null) {
            System.clearProperty(property);
          } else {
            System.setProperty(property, value);
          }
        });
  }
}
