package io.github.loragraph.cli;

import io.github.loragraph.lora.Parameter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Words for parameters that a file holds several times. */
final class Tied {
  private Tied() {}

  static String inOneLine(Parameter parameter) {
    return "Tied, counted and trained as one: %s = %s"
        .formatted(
            parameter.name(),
            parameter.copies().stream()
                .map(Parameter.Copy::name)
                .collect(Collectors.joining(" = ")));
  }

  static Map<String, Object> json(Parameter parameter) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("name", parameter.name());
    json.put("copies", parameter.copies().stream().map(Parameter.Copy::name).toList());
    return json;
  }
}
