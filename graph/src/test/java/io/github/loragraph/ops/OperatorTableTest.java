package io.github.loragraph.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.onnx.GraphBuilder;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The registry, the table in the documentation and the tests of the rules agree. */
class OperatorTableTest {
  private static Path projectRoot() {
    try {
      Path classes =
          Path.of(
              OperatorTableTest.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return classes.getParent().getParent().getParent();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void theDocumentationListsWhatIsThere() throws IOException {
    StringBuilder table = new StringBuilder();
    table.append("# Operators with a gradient\n\n");
    table.append("Written from the registry of operators (package `ops`) by `OperatorTableTest`; ");
    table.append(
        "`mvn test -pl graph -am -Dtest=OperatorTableTest -Dsurefire.failIfNoSpecifiedTests=false -Dwrite.tables=true` writes it again.\n");
    table.append("Models of the operator sets 11 to 19 are brought to ");
    table.append(GraphBuilder.OPSET);
    table.append(" first. Operators that no gradient passes through need no rule.\n\n");
    Operators.all().differentiable().forEach(op -> table.append("- `").append(op).append("`\n"));
    table.append("\n## With kernels of ONNX Runtime's training build\n\n");
    table.append(
        "The engine `training-api` writes the gradients of these with a fused kernel where ");
    table.append(
        "the values are single precision. The graph engine and `lora-graph artifacts` never do.");
    table.append("\n\n");
    fused().forEach(op -> table.append("- `").append(op).append("`\n"));
    Path file = projectRoot().resolve("docs").resolve("operators.md");
    if (Boolean.getBoolean("write.tables")) {
      Files.writeString(file, table);
    }
    assertEquals(table.toString(), Files.readString(file));
  }

  private static List<String> fused() {
    return Operators.all().operators().stream()
        .filter(op -> op.gradient(Kernels.TRAINING_BUILD) != op.gradient(Kernels.CPU))
        .map(Operator::name)
        .toList();
  }

  @Test
  void everyGradientHasItsTestBesideItsOperator() {
    int tested = 0;
    for (Operator operator : Operators.all().operators()) {
      if (operator.gradient(Kernels.STANDARD) == null && operator.body() == null) {
        continue;
      }
      tested++;
      String place = operator.getClass().getPackageName();
      String name = place + "." + operator.name() + "GradientTest";
      try {
        Class.forName(name);
      } catch (ClassNotFoundException e) {
        throw new AssertionError(operator.name() + " has no " + name, e);
      }
    }
    assertTrue(tested > 40);
  }
}
