package io.github.loragraph;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Command lines of processes that hear signals also where the tests run in the background of a
 * shell, or behind nohup: there SIGINT and SIGHUP are ignored, which a process hands down to those
 * that it starts, and which lora-graph takes for its user's wish.
 */
final class HearingSignals {
  private static final List<String> ENV = List.of("env", "--default-signal=INT,HUP,TERM");
  private static final boolean POSSIBLE = isPossible();

  private HearingSignals() {}

  /** The command behind GNU's env, where that can set signals back; else as it is. */
  static List<String> of(List<String> command) {
    List<String> whole = new ArrayList<>(POSSIBLE ? ENV : List.of());
    whole.addAll(command);
    return whole;
  }

  private static boolean isPossible() {
    List<String> command = new ArrayList<>(ENV);
    command.add("true");
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
