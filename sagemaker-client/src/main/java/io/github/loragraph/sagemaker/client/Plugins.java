package io.github.loragraph.sagemaker.client;

import io.github.loragraph.cli.CommandPlugin;
import io.github.loragraph.error.LoraGraphException;

/** The commands that this module puts under {@code lora-graph sagemaker}. */
final class Plugins {
  private static final String PARENT = "io.github.loragraph.sagemaker.SageMakerCommand";

  private Plugins() {}

  private abstract static class Plugin implements CommandPlugin {
    @Override
    public String parent() {
      try {
        Class.forName(PARENT, false, Plugins.class.getClassLoader());
      } catch (ClassNotFoundException e) {
        throw new LoraGraphException(
            "the library lora-graph-sagemaker is missing beside lora-graph-sagemaker-client: add it to the class path, or take the other away",
            e);
      }
      return "sagemaker";
    }
  }

  /** {@code submit}. */
  public static final class Submit extends Plugin {
    @Override
    public Object command() {
      return new SubmitCommand();
    }
  }

  /** {@code wait}. */
  public static final class Wait extends Plugin {
    @Override
    public Object command() {
      return new WaitCommand();
    }
  }

  /** {@code stop}. */
  public static final class Stop extends Plugin {
    @Override
    public Object command() {
      return new StopCommand();
    }
  }

  /** {@code compare}. */
  public static final class Compare extends Plugin {
    @Override
    public Object command() {
      return new CompareCommand();
    }
  }

  /** {@code logs}. */
  public static final class Logs extends Plugin {
    @Override
    public Object command() {
      return new LogsCommand();
    }
  }

  /** {@code download}. */
  public static final class Download extends Plugin {
    @Override
    public Object command() {
      return new DownloadCommand();
    }
  }
}
