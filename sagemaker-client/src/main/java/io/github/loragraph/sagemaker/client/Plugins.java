package io.github.loragraph.sagemaker.client;

import io.github.loragraph.cli.CommandPlugin;

/** The commands that this module puts under {@code lora-graph sagemaker}. */
final class Plugins {
  private Plugins() {}

  /** {@code submit}. */
  public static final class Submit implements CommandPlugin {
    @Override
    public String parent() {
      return "sagemaker";
    }

    @Override
    public Object command() {
      return new SubmitCommand();
    }
  }

  /** {@code wait}. */
  public static final class Wait implements CommandPlugin {
    @Override
    public String parent() {
      return "sagemaker";
    }

    @Override
    public Object command() {
      return new WaitCommand();
    }
  }

  /** {@code compare}. */
  public static final class Compare implements CommandPlugin {
    @Override
    public String parent() {
      return "sagemaker";
    }

    @Override
    public Object command() {
      return new CompareCommand();
    }
  }

  /** {@code logs}. */
  public static final class Logs implements CommandPlugin {
    @Override
    public String parent() {
      return "sagemaker";
    }

    @Override
    public Object command() {
      return new LogsCommand();
    }
  }

  /** {@code download}. */
  public static final class Download implements CommandPlugin {
    @Override
    public String parent() {
      return "sagemaker";
    }

    @Override
    public Object command() {
      return new DownloadCommand();
    }
  }
}
