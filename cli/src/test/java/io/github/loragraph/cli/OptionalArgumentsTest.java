package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

class OptionalArgumentsTest {
  /** NullAway takes it from picocli that the fields are set. */
  @Test
  void theFieldOfAnArgumentThatMayBeLeftOutIsNullable() {
    List<String> wrong = new ArrayList<>();
    int nullable = 0;
    for (CommandSpec command : Commands.all()) {
      for (ArgSpec argument : command.args()) {
        if (!(argument.userObject() instanceof Field field)
            || field.getType().isPrimitive()
            || argument.required()
            || argument.defaultValue() != null
            || argument.initialValue() != null) {
          continue;
        }
        nullable++;
        if (!field.getAnnotatedType().isAnnotationPresent(Nullable.class)) {
          wrong.add(field.toString());
        }
      }
    }
    assertEquals(List.of(), wrong);
    assertTrue(nullable > 20, "arguments that may be left out: " + nullable);
  }
}
