package io.github.loragraph.bench;

import java.util.List;
import java.util.Locale;

/** Writes what is computed, line by line, in TorchScript's part of Python; values are names. */
final class ScriptOps implements TensorOps<String> {
  private final StringBuilder lines = new StringBuilder();
  private int values;

  /** How a weight is called: an attribute's name has no dots. */
  static String attribute(String parameter) {
    return parameter.replace('.', '_');
  }

  /** The body of a method that returns a value. */
  String body(String result) {
    return lines + "    return " + result + "\n";
  }

  private String line(String format, Object... values) {
    String name = "v" + this.values++;
    lines
        .append("    ")
        .append(name)
        .append(" = ")
        .append(String.format(Locale.ROOT, format, values))
        .append('\n');
    return name;
  }

  @Override
  public String parameter(String name) {
    return "self." + attribute(name);
  }

  @Override
  public String embedding(String table, String indices) {
    return line("torch.embedding(%s, %s)", table, indices);
  }

  @Override
  public String add(String a, String b) {
    return line("torch.add(%s, %s)", a, b);
  }

  @Override
  public String layerNorm(String x, int width, String weight, String bias, double epsilon) {
    return line("torch.layer_norm(%s, [%d], %s, %s, %s)", x, width, weight, bias, epsilon);
  }

  @Override
  public String linear(String x, String weight, String bias) {
    return line("torch.linear(%s, %s, %s)", x, weight, bias);
  }

  @Override
  public String matMul(String a, String b) {
    return line("torch.matmul(%s, %s)", a, b);
  }

  @Override
  public String gelu(String x) {
    return line("torch.gelu(%s)", x);
  }

  @Override
  public String tanh(String x) {
    return line("torch.tanh(%s)", x);
  }

  /** By libtorch's own function, as today's models of Hugging Face have it. */
  @Override
  public String attention(
      String query, String key, String value, String mask, int heads, int width) {
    List<String> parts =
        List.of(query, key, value).stream().map(x -> heads(x, heads, width)).toList();
    String context =
        line(
            "torch.scaled_dot_product_attention(%s, %s, %s, %s)",
            parts.get(0), parts.get(1), parts.get(2), mask);
    String turned = line("torch.transpose(%s, 1, 2)", context);
    return line(
        "torch.reshape(%s, [torch.size(%s, 0), torch.size(%s, 1), %d])",
        turned, query, query, heads * width);
  }

  private String heads(String x, int heads, int width) {
    String parts =
        line(
            "torch.view(%s, [torch.size(%s, 0), torch.size(%s, 1), %d, %d])",
            x, x, x, heads, width);
    return line("torch.transpose(%s, 1, 2)", parts);
  }

  @Override
  public String first(String x) {
    return line("torch.select(%s, 1, 0)", x);
  }

  @Override
  public String mean(String x, String tokens) {
    String sum = line("torch.sum(torch.mul(%s, %s), [1])", x, tokens);
    return line("torch.div(%s, torch.sum(%s, [1]))", sum, tokens);
  }
}
