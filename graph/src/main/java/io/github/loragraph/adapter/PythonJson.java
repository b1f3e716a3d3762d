package io.github.loragraph.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;

/** Writes JSON to the byte as Python's {@code json.dumps(x, indent=2, sort_keys=True)} does. */
final class PythonJson {
  /** Python writes larger and smaller numbers with an exponent. */
  private static final int MOST_DIGITS = 16;

  private static final int MOST_ZEROS = 4;

  private final StringBuilder text = new StringBuilder();

  private PythonJson() {}

  static String write(JsonNode value) {
    PythonJson json = new PythonJson();
    json.value(value, 0);
    return json.text.toString();
  }

  private void value(JsonNode value, int depth) {
    if (value.isObject()) {
      Map<String, JsonNode> sorted = new TreeMap<>();
      value.properties().forEach(e -> sorted.put(e.getKey(), e.getValue()));
      object(sorted, depth);
    } else if (value.isArray()) {
      array(value, depth);
    } else if (value.isTextual()) {
      string(value.textValue());
    } else if (value.isFloatingPointNumber()) {
      text.append(number(value.doubleValue()));
    } else {
      text.append(value); // whole numbers, true, false, null
    }
  }

  private void object(Map<String, JsonNode> fields, int depth) {
    if (fields.isEmpty()) {
      text.append("{}");
      return;
    }
    String separator = "{";
    for (Map.Entry<String, JsonNode> field : fields.entrySet()) {
      text.append(separator);
      newLine(depth + 1);
      string(field.getKey());
      text.append(": ");
      value(field.getValue(), depth + 1);
      separator = ",";
    }
    newLine(depth);
    text.append('}');
  }

  private void array(JsonNode values, int depth) {
    if (values.isEmpty()) {
      text.append("[]");
      return;
    }
    String separator = "[";
    for (Iterator<JsonNode> i = values.elements(); i.hasNext(); ) {
      text.append(separator);
      newLine(depth + 1);
      value(i.next(), depth + 1);
      separator = ",";
    }
    newLine(depth);
    text.append(']');
  }

  private void newLine(int depth) {
    text.append('\n').append("  ".repeat(depth));
  }

  private void string(String value) {
    text.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      int escape = "\"\\\n\r\t\b\f".indexOf(c);
      if (escape >= 0) {
        text.append('\\').append("\"\\nrtbf".charAt(escape));
      } else if (c < ' ' || c > '~') {
        text.append("\\u%04x".formatted((int) c));
      } else {
        text.append(c);
      }
    }
    text.append('"');
  }

  /** As {@code repr(float)}. */
  private static String number(double value) {
    if (value == 0 || Double.isInfinite(value)) {
      return value == 0 ? (1 / value < 0 ? "-0.0" : "0.0") : value > 0 ? "Infinity" : "-Infinity";
    }
    BigDecimal exact = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    int exponent = exact.precision() - exact.scale() - 1;
    if (exponent >= -MOST_ZEROS && exponent < MOST_DIGITS) {
      String plain = exact.toPlainString();
      return exact.scale() > 0 ? plain : plain + ".0";
    }
    String digits = exact.unscaledValue().abs().toString();
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    String size = (exponent < 0 ? "-" : "+") + (Math.abs(exponent) < 10 ? "0" : "");
    return "%s%s%se%s%d"
        .formatted(value < 0 ? "-" : "", digits.charAt(0), fraction, size, Math.abs(exponent));
  }
}
