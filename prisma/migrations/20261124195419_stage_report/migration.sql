-- CreateTable
CREATE TABLE "stage_report" (
    "run_uid" UUID NOT NULL,
    "stage" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "report" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "stage_report_pkey" PRIMARY KEY ("run_uid","stage")
);

-- CreateIndex
CREATE INDEX "stage_report_updated_at_idx" ON "stage_report"("updated_at");
