package io.github.loragraph.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CommandReferenceTest {
  private static final Path PAGE = Path.of("..", "docs", "reference.md");

  @Test
  void theReferenceInTheDocumentationIsThatOfTheCommands() throws IOException {
    String written = CommandReference.write(Commands.all());
    if (Boolean.getBoolean("write.tables")) {
      Files.writeString(PAGE, written);
    }
    assertEquals(
        written,
        Files.readString(PAGE).replace("\r\n", "\n"),
        "write it again: mvn -B test -pl cli -am -Dtest=CommandReferenceTest"
            + " -Dsurefire.failIfNoSpecifiedTests=false -Dwrite.tables=true");
  }
}
