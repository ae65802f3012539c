-- CreateTable
CREATE TABLE "resource" (
    "uid" UUID NOT NULL,
    "api_version" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "namespace" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "generation" INTEGER NOT NULL DEFAULT 1,
    "resource_version" BIGINT NOT NULL,
    "labels" JSONB NOT NULL,
    "annotations" JSONB NOT NULL,
    "spec" JSONB NOT NULL,
    "status" JSONB,
    "finalizers" TEXT[],
    "deletion_timestamp" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "resource_pkey" PRIMARY KEY ("uid")
);

-- CreateTable
CREATE TABLE "resource_history" (
    "id" BIGSERIAL NOT NULL,
    "uid" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "namespace" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "change" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "resource_version" BIGINT,
    "phase" TEXT,
    "spec" JSONB NOT NULL,
    "status" JSONB,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "resource_history_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stage_attempt" (
    "id" BIGSERIAL NOT NULL,
    "run_uid" UUID NOT NULL,
    "stage" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "cached" BOOLEAN NOT NULL DEFAULT false,
    "key" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3),
    "completed_at" TIMESTAMPTZ(3),
    "exit_code" INTEGER,
    "message" TEXT,
    "log_uri" TEXT,
    "artifact_digest" TEXT,

    CONSTRAINT "stage_attempt_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "artifact" (
    "id" BIGSERIAL NOT NULL,
    "digest" TEXT NOT NULL,
    "stage" TEXT NOT NULL,
    "key" TEXT,
    "uri" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "metadata" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "artifact_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "artifact_lineage" (
    "from_id" BIGINT NOT NULL,
    "to_id" BIGINT NOT NULL,

    CONSTRAINT "artifact_lineage_pkey" PRIMARY KEY ("to_id","from_id")
);

-- CreateTable
CREATE TABLE "metric_point" (
    "run_uid" UUID NOT NULL,
    "stage" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "step" INTEGER NOT NULL,
    "value" DOUBLE PRECISION NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "metric_point_pkey" PRIMARY KEY ("run_uid","stage","name","step")
);

-- CreateTable
CREATE TABLE "sample" (
    "run_uid" UUID NOT NULL,
    "step" INTEGER NOT NULL,
    "uri" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "sample_pkey" PRIMARY KEY ("run_uid","step")
);

-- CreateTable
CREATE TABLE "model" (
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "model_version" (
    "model_name" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "run_uid" UUID NOT NULL,
    "artifact_digest" TEXT NOT NULL,
    "uri" TEXT NOT NULL,
    "scores" JSONB NOT NULL,
    "stage" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_version_pkey" PRIMARY KEY ("model_name","version")
);

-- CreateTable
CREATE TABLE "model_alias" (
    "model_name" TEXT NOT NULL,
    "alias" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_alias_pkey" PRIMARY KEY ("model_name","alias")
);

-- CreateTable
CREATE TABLE "model_alias_change" (
    "id" BIGSERIAL NOT NULL,
    "model_name" TEXT NOT NULL,
    "alias" TEXT NOT NULL,
    "from_version" INTEGER,
    "to_version" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "model_alias_change_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "event" (
    "fingerprint" TEXT NOT NULL,
    "resource_uid" UUID NOT NULL,
    "type" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "count" INTEGER NOT NULL DEFAULT 1,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "event_pkey" PRIMARY KEY ("fingerprint")
);

-- CreateTable
CREATE TABLE "report_cursor" (
    "job_key" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,

    CONSTRAINT "report_cursor_pkey" PRIMARY KEY ("job_key")
);

-- CreateIndex
CREATE UNIQUE INDEX "resource_resource_version_key" ON "resource"("resource_version");

-- CreateIndex
CREATE UNIQUE INDEX "resource_kind_namespace_name_key" ON "resource"("kind", "namespace", "name");

-- CreateIndex
CREATE INDEX "resource_history_uid_id_idx" ON "resource_history"("uid", "id");

-- CreateIndex
CREATE INDEX "resource_history_change_resource_version_idx" ON "resource_history"("change", "resource_version");

-- CreateIndex
CREATE INDEX "stage_attempt_artifact_digest_idx" ON "stage_attempt"("artifact_digest");

-- CreateIndex
CREATE UNIQUE INDEX "stage_attempt_run_uid_stage_attempt_key" ON "stage_attempt"("run_uid", "stage", "attempt");

-- CreateIndex
CREATE UNIQUE INDEX "artifact_key_key" ON "artifact"("key");

-- CreateIndex
CREATE INDEX "artifact_digest_idx" ON "artifact"("digest");

-- CreateIndex
CREATE INDEX "artifact_lineage_from_id_idx" ON "artifact_lineage"("from_id");

-- CreateIndex
CREATE UNIQUE INDEX "model_version_model_name_run_uid_artifact_digest_key" ON "model_version"("model_name", "run_uid", "artifact_digest");

-- CreateIndex
CREATE INDEX "model_alias_change_model_name_id_idx" ON "model_alias_change"("model_name", "id");

-- CreateIndex
CREATE INDEX "event_resource_uid_last_at_idx" ON "event"("resource_uid", "last_at");

-- AddForeignKey
ALTER TABLE "artifact_lineage" ADD CONSTRAINT "artifact_lineage_from_id_fkey" FOREIGN KEY ("from_id") REFERENCES "artifact"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "artifact_lineage" ADD CONSTRAINT "artifact_lineage_to_id_fkey" FOREIGN KEY ("to_id") REFERENCES "artifact"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_version" ADD CONSTRAINT "model_version_model_name_fkey" FOREIGN KEY ("model_name") REFERENCES "model"("name") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "model_alias" ADD CONSTRAINT "model_alias_model_name_version_fkey" FOREIGN KEY ("model_name", "version") REFERENCES "model_version"("model_name", "version") ON DELETE RESTRICT ON UPDATE CASCADE;

-- Versions of resources: one sequence for all, so that a watcher needs to remember one number.
CREATE SEQUENCE "resource_version_seq";
